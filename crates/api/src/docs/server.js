// The server of this page. Addresses are relative to the page, so that they are right below a path
// of a proxy, and whatever address the API document declares.

/** Address of the server, with a slash at the end. */
export const base = new URL("../", document.baseURI);

/** Path of an address at the server, such as `/v1/me`; null for other servers. */
export function pathOf(address) {
  const { origin, pathname } = new URL(address, base);
  const isOwn = origin === base.origin && pathname.startsWith(base.pathname);
  return isOwn ? `/${pathname.slice(base.pathname.length)}` : null;
}

/** Sends a request with a JSON body. */
export function send(method, path, token, body, options) {
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  return fetch(new URL(path.slice(1), base), {
    method,
    headers: { "content-type": "application/json", ...authorization },
    body: body === undefined ? undefined : JSON.stringify(body),
    ...options,
  });
}
