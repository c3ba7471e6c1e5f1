// Development server of a front end: serves the compiled files of a directory on its own origin.
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { normalize } from "node:path";

/** Starts the server. `postern` is the address that the page calls. */
export async function serve(folder, postern) {
  const page = await readFile(`${folder}/index.html`, "utf8");
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    if (path === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(page.replace("POSTERN", postern));
      return;
    }
    const file = createReadStream(folder + path);
    file.on("open", () => response.setHeader("content-type", "text/javascript"));
    file.on("error", () => response.writeHead(404).end());
    file.pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return { origin: `http://localhost:${server.address().port}`, close: () => server.close() };
}
