//! Documentation pages in HTML: problems and guides.

/// Content-Security-Policy of a page: stylesheets and images of this server only.
pub const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
                               base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Media type of a page.
pub const HTML: &str = "text/html; charset=utf-8";

/// A page from texts in HTML. `docs` is the relative URL of `/docs/`: links are relative, so that
/// they also work below a path of a proxy.
pub fn html_page(title: &str, docs: &str, nav: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – Postern</title>\n\
         <link rel=\"stylesheet\" href=\"{docs}pages.css\">\n\
         <link rel=\"icon\" href=\"{docs}favicon-32x32.png\">\n</head>\n<body>\n\
         <nav aria-label=\"Documentation\">{nav}</nav>\n\
         <main>\n<h1>{title}</h1>\n{content}</main>\n</body>\n</html>\n"
    )
}
