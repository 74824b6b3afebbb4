// Chromium as the machine has it, driven by playwright-core, with axe-core to look for barriers. Both are set up by
// `scripts/setup.py browser`, in the folder that FIRSTSIGHT_BROWSER names.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

const require = createRequire(join(process.env.FIRSTSIGHT_BROWSER, "package.json"));

/** The program, or nothing if the machine has none. */
export const chromium =
  process.env.FIRSTSIGHT_CHROMIUM ||
  process.env.PATH.split(delimiter)
    .map((folder) => join(folder, "chromium"))
    .find(existsSync);

/** The ways in which pages are looked at. */
export const LOOKS = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "light", isMobile: true, hasTouch: true },
};

export async function launch() {
  const { chromium: driver } = require("playwright-core");
  // Without its sandbox it runs as root and in containers too; it sees nothing but our own pages.
  return driver.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-quic"] });
}

/** Logs in, as anybody does. */
export async function login(page, url, token) {
  await page.goto(`${url}/console/login`);
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** What axe-core finds wrong with the page, in the rules of WCAG 2.2 AA and its own good practice. */
export async function barriers(page) {
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Whether the page is wider than the window. */
export function overflows(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}
