// Tests the tasks of an operator in a browser: node main.mjs ADDRESS CHROMIUM SCREENSHOTS [NAME].
// Runs each scenario on a page of its own, or only the one called NAME.
import { launch } from "./page.mjs";
import * as access from "./access.mjs";
import * as identity from "./identity.mjs";
import * as impersonation from "./impersonation.mjs";
import * as layout from "./layout.mjs";
import * as prefix from "./prefix.mjs";
import * as problems from "./problems.mjs";
import * as requests from "./requests.mjs";

const [address, executablePath, screenshots, only] = process.argv.slice(2);
const modules = [requests, identity, impersonation, access, layout, prefix, problems];
const scenarios = modules.flatMap((module) => Object.entries(module));
const browser = await launch(executablePath);
let failed = 0;
try {
  for (const [name, scenario] of scenarios) {
    if (only !== undefined && name !== only) continue;
    const operator = await browser.open(address, screenshots);
    try {
      await scenario(operator);
      operator.assertErrors(0);
      console.log(`${name}: passed`);
    } catch (error) {
      console.error(`${name}: failed: ${error.stack ?? error}`);
      failed += 1;
    } finally {
      await operator.close();
    }
  }
} finally {
  await browser.close();
}
process.exitCode = failed === 0 ? 0 : 1;
