// The page calls the server that served it: below a path of a proxy, and although the API document
// declares another address.
import assert from "node:assert/strict";
import http from "node:http";

const PREFIX = "/admin";

/** A proxy that adds a path, and an API document with another server. */
async function startProxy(address) {
  const server = http.createServer(async (request, response) => {
    if (!request.url.startsWith(PREFIX)) return response.writeHead(404).end();
    // Without a condition: the API document is changed below.
    const { host, connection, "if-none-match": condition, ...headers } = request.headers;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = ["GET", "HEAD"].includes(request.method) ? undefined : Buffer.concat(chunks);
    const path = request.url.slice(PREFIX.length);
    const upstream = await fetch(`${address}${path}`, { method: request.method, headers, body });
    let text = Buffer.from(await upstream.arrayBuffer());
    if (path === "/openapi.json") {
      const contract = JSON.parse(text);
      contract.servers = [{ url: "https://elsewhere.example/api" }];
      text = JSON.stringify(contract);
    }
    const skipped = ["content-encoding", "content-length", "transfer-encoding", "connection"];
    const answer = [...upstream.headers].filter(([name]) => !skipped.includes(name));
    response.writeHead(upstream.status, Object.fromEntries(answer)).end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

export async function page_works_below_a_path(operator) {
  const server = await startProxy(operator.address);
  try {
    operator.address = `http://127.0.0.1:${server.address().port}${PREFIX}`;
    await operator.open();
    await operator.signedIn("support@postern.example");
    const me = await operator.run("read_me");
    assert.equal(me.url, `${operator.address}/v1/me`);
    assert.equal(me.status, 200);
    await operator.impersonate();
    await operator.page.click("#stop");
    await operator.page.waitForSelector("#acting", { state: "hidden" });
    await operator.page.goto(`${operator.address}/problems`);
    await operator.page.click("text=permission_denied");
    assert.match(await operator.text("h1"), /Permission denied/);
    await operator.page.click("text=list_staff");
    await operator.block("list_staff").locator(".opblock-body").waitFor();
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
