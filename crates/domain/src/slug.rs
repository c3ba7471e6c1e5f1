//! Slugs of orgs: short names for URLs.

use typeid_suffix::prelude::TypeIdSuffix;
use uuid::Uuid;

use crate::id::PREFIXES;

/// Slug of an org: 3 to 40 lower-case ASCII letters, digits and single inner hyphens.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// Slugs that no org can have: words of the API's paths, names that programs and people take for
/// the vendor's own, and the texts that programs write where a value is missing. They are reserved
/// before they are needed, because slugs are never changed. In alphabetical order.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "about", "abuse", "account", "accounts", "admin", "administrator", "alert-rules", "alerts",
    "all", "anonymous", "api", "api-keys", "app", "approvals", "apps", "assets", "audit",
    "audit-actions", "audit-events", "audit-log", "auth", "billing", "blog", "branding", "callback",
    "cdn", "changelog", "charges", "checkpoint", "community", "console", "contact", "credits",
    "current", "dashboard", "default", "delete", "deletion", "demo", "developer", "developers",
    "disputes", "docs", "download", "downloads", "edit", "elevations", "email", "email-change",
    "enterprise", "entries", "error", "events", "export", "exports", "false", "favicon", "features",
    "ftp", "global", "guest", "health", "healthz", "help", "home", "host", "hostmaster", "imap",
    "impersonations", "index", "info", "internal", "invitations", "invite", "invites", "invoices",
    "jobs", "jwks", "keys", "legal", "limits", "livez", "localhost", "log", "login", "logout",
    "logs", "mail", "member", "members", "metrics", "mfa", "mine", "myself", "nan", "new", "news",
    "nil", "none", "notes", "notices", "notification-channels", "null", "oauth",
    "oauth-authorization-server", "openapi", "operations", "org", "organization", "organizations",
    "orgs", "owner", "ownership", "passkeys", "password", "password-reset", "payments",
    "permissions", "plan", "plans", "platform", "policy", "postern", "postmaster", "pricing",
    "privacy", "problems", "profile", "proof", "public", "readyz", "refresh", "refunds", "register",
    "removal", "requests", "reviews", "robots", "root", "saml", "scim", "search", "security",
    "self", "service-accounts", "sessions", "settings", "sign-in", "sign-out", "sign-up", "signin",
    "signout", "signup", "smtp", "ssl", "sso", "staff", "staging", "static", "status", "step-up",
    "store", "stream", "subscriptions", "superuser", "support", "support-requests", "suspend",
    "swagger", "sysadmin", "system", "team", "teams", "terms", "test", "ticket", "tickets", "tile",
    "tokens", "totp", "transfer", "trial-extension", "true", "undefined", "unknown", "usage",
    "user", "users", "version", "webhook", "webhooks", "webmaster", "well-known", "www",
];

/// Reports whether no org can have the slug: a reserved word, or a text that looks like an ID.
#[must_use]
pub fn is_reserved(slug: &str) -> bool {
    RESERVED.binary_search(&slug).is_ok() || looks_like_id(slug)
}

/// UUIDs, and the text of an ID without its prefix or with a hyphen instead of the underscore.
fn looks_like_id(slug: &str) -> bool {
    let suffix = PREFIXES
        .iter()
        .find_map(|prefix| slug.strip_prefix(prefix)?.strip_prefix('-'))
        .unwrap_or(slug);
    suffix.parse::<TypeIdSuffix>().is_ok() || Uuid::try_parse(suffix).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_validated() {
        for good in ["acme", "a-b", "123"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in
            ["", "ab", "Acme", "-acme", "acme-", "a--b", "a b", "a_b", "äcme", &"a".repeat(41)]
        {
            assert!(!is_slug(bad), "{bad}");
        }
    }

    #[test]
    fn reserved_words_are_slugs_in_order() {
        assert!(RESERVED.is_sorted(), "the list is searched by bisection");
        for word in RESERVED {
            assert!(is_slug(word) && is_reserved(word), "{word}");
        }
    }

    #[test]
    fn texts_that_look_like_ids_are_reserved() {
        for id in [
            "01k7fgpr00e00800000000000g",
            "org-01k7fgpr00e00800000000000g",
            "user-01k7fgpr00e00800000000000g",
            "019a9f2e-5c00-7000-8000-000000000001",
            "019a9f2e5c0070008000000000000001",
        ] {
            assert!(is_slug(id) && is_reserved(id), "{id}");
        }
        for slug in ["acme", "org-acme", "administrators", "360", "company-1"] {
            assert!(!is_reserved(slug), "{slug}");
        }
    }
}
