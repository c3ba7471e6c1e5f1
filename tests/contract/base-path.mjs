// Tests that the documentation page loads and signs in below a path of a reverse proxy:
// node base-path.mjs ADDRESS CHROMIUM SCREENSHOTS. ADDRESS has the path.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [address, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [...(process.getuid() === 0 ? ["--no-sandbox"] : []), "--disable-gpu"],
});
try {
  const page = await browser.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${address}/`) && url !== `${address}/docs` && !url.startsWith("data:"))
      errors.push(`request to ${url}`);
  });
  await page.goto(`${address}/docs`);
  await page.waitForSelector("#operations-me-read_me");
  await page.fill("#email", "support@postern.example");
  await page.fill("#password", "postern-demo-2026");
  await page.click("#sign-in button");
  await page.waitForFunction(() =>
    document.getElementById("state").textContent.includes("support@postern.example"),
  );
  assert.deepEqual(errors, []);
} finally {
  await browser.close();
}
