// The console in a real Chromium: what people do there, with a mouse, a keyboard or a thumb.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, afterEach, before, test } from "node:test";
import { barriers, chromium, launch, login, LOOKS, overflows } from "./browser.mjs";
import { start } from "./directory.mjs";

if (!chromium) {
  console.log("==> SKIPPED: the console in Chromium, as there is none; on Debian: apt install chromium (or FIRSTSIGHT_CHROMIUM)");
  process.exit(0);
}

let browser, directory, tokens;

before(async () => {
  browser = await launch();
  directory = await start({ options: ["--new-accounts", "pending"], settings: '[dormancy.person]\nreview = "60d"\n' });
  tokens = { admin: await directory.token("ops-jane", "admin"), auditor: await directory.token("night-shift", "auditor") };
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

after(async () => {
  await browser?.close();
  await directory?.stop();
});

/** A page of somebody who is logged in. Whatever a page would run or load from elsewhere fails the test. */
async function visit(token, look = LOOKS.light) {
  const page = await browser.newPage(look);
  page.on("dialog", (dialog) => assert.fail(`a script ran: ${dialog.message()}`));
  page.on("console", (message) => message.type() === "error" && page.refusals.push(message.text()));
  page.refusals = [];
  await login(page, directory.url, token);
  await page.waitForURL("**/console/accounts");
  return page;
}

/** The way to a part of the console. */
function part(page, name) {
  return page.getByRole("navigation", { name: "Console" }).getByRole("link", { name });
}

async function state(sub) {
  return (await directory.account(sub)).state;
}

test("who is not logged in gets to the page they wanted through the login", async () => {
  const page = await browser.newPage();
  await page.goto(`${directory.url}/console/audit?event=drift`);
  await page.getByLabel("API token").fill(tokens.auditor);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/audit?event=drift");
  const [cookie] = await page.context().cookies();
  assert.ok(cookie.httpOnly && cookie.sameSite === "Strict", JSON.stringify(cookie));
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/console/login");
  await page.goBack();
  await page.waitForURL("**/console/login**");
});

test("a wrong token is refused in words, next to its field", async () => {
  const page = await browser.newPage();
  await login(page, directory.url, "a-token-that-is-not-known");
  await page.getByRole("alert").getByText("This token is not known").waitFor();
  assert.equal(await page.getByLabel("API token").getAttribute("aria-invalid"), "true");
  assert.deepEqual(await page.context().cookies(), []);
});

test("an account is approved with the keyboard alone", async () => {
  await directory.arrival("keyboard");
  const page = await visit(tokens.admin);
  // Tab after tab until it is there, as somebody does who has no mouse; whatever is passed shows where the focus is.
  const reach = async (name) => {
    for (let tabs = 0; tabs < 60; tabs++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        const label = document.activeElement.labels?.[0]?.textContent;
        return { name: (label ?? document.activeElement.textContent).trim(), seen: outlineStyle !== "none" && outlineWidth !== "0px" };
      });
      assert.ok(focus.seen, `the focus on “${focus.name}” cannot be seen`);
      if (focus.name.startsWith(name)) return;
    }
    assert.fail(`no tab leads to “${name}”`);
  };
  await reach("Skip to the content");
  await reach("Pending");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/pending");
  await reach("Skip to the content");
  await page.keyboard.press("Enter");
  await reach("Reason");
  await page.keyboard.type("known to the team lead");
  await reach("Choose keyboard");
  await page.keyboard.press("Space");
  await page.getByLabel("Reason").focus();
  await reach("Approve");
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("1 account was approved.").waitFor();
  assert.equal(await state("keyboard"), "active");
});

test("several are approved at once, with one reason", async () => {
  for (const sub of ["first", "second", "third"]) await directory.arrival(sub);
  const page = await visit(tokens.admin);
  await part(page, "Pending").click();
  await page.getByRole("link", { name: "Choose all on this page" }).click();
  await page.getByLabel("Choose third").uncheck();
  await page.getByRole("button", { name: "Approve" }).click();
  assert.equal(await state("first"), "pending", "the browser wants a reason first");
  await page.getByLabel("Reason").fill("new in the team");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("status").getByText("accounts were approved.").waitFor();
  assert.deepEqual(await Promise.all(["first", "second", "third"].map(state)), ["active", "active", "pending"]);
});

test("a departure is asked once more, and is the latest of the story", async () => {
  await directory.arrival("leaver");
  const page = await visit(tokens.admin);
  await page.getByLabel("Search").fill("leaver");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "leaver" }).click();
  await page.getByLabel("Reason").fill("left on Friday");
  await page.getByRole("button", { name: "Depart" }).click();
  await page.getByRole("heading", { name: "Depart leaver?" }).waitFor();
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Story" }).waitFor();
  assert.equal(await state("leaver"), "pending");
  await page.getByLabel("Reason").fill("left on Friday");
  await page.getByRole("button", { name: "Depart" }).click();
  await page.getByRole("button", { name: "Depart 1 account" }).click();
  await page.getByRole("status").getByText("1 account was marked as departed.").waitFor();
  const latest = page.locator(".story > li").first();
  assert.match(await latest.innerText(), /Departure[^]*“left on Friday”[^]*ops-jane[^]*admin/);
  assert.ok(await latest.locator("time[datetime]").count());
  assert.equal(await state("leaver"), "departed");
  assert.ok(await page.getByRole("button", { name: "Return" }).isVisible());
  await latest.getByRole("link").click();
  await page.waitForURL("**/console/audit?before=*");
});

test("an auditor has no button but those to search and to log out", async () => {
  await directory.arrival("watched");
  const page = await visit(tokens.auditor);
  const { id } = await directory.account("watched");
  for (const path of ["accounts", `accounts/${id}`, "pending", "dormant", "audit"]) {
    await page.goto(`${directory.url}/console/${path}`);
    const buttons = await page.getByRole("button").allInnerTexts();
    assert.deepEqual(buttons.filter((text) => !["Log out", "Search"].includes(text)), [], path);
    assert.equal(await page.getByRole("checkbox").count(), 0, path);
  }
});

test("another site can send no form in the name of whoever is logged in", async () => {
  await directory.arrival("victim");
  const page = await visit(tokens.admin);
  const { id } = await directory.account("victim");
  const mark = await page.locator("input[name=form]").first().inputValue();
  // Even with the session's own mark, which it cannot know.
  const fields = { form: mark, decision: "approve", account: id, reason: "x" };
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const html = `<form method="post" action="${directory.url}/console/act">${inputs.join("")}<button>Win</button></form>`;
  const site = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(html)).listen(0, "127.0.0.1");
  await once(site, "listening");
  try {
    // Another port is the same site to a browser, which sends the cookie along; another name is another site.
    for (const host of ["127.0.0.1", "localhost"]) {
      await page.goto(`http://${host}:${site.address().port}/`);
      await page.getByRole("button", { name: "Win" }).click();
      await page.getByRole("heading", { name: /The form is not from this page|Log in/ }).waitFor();
      assert.equal(await state("victim"), "pending", host);
    }
  } finally {
    site.close();
  }
});

test("what gateways sent is text, whatever it looks like", async () => {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;
  await directory.arrival(evil, { title: evil, nested: { list: [evil] } }, { gateway: evil });
  const page = await visit(tokens.admin);
  const { id } = await directory.account(evil);
  await page.goto(`${directory.url}/console/accounts/${id}`);
  await page.getByRole("cell", { name: evil, exact: true }).waitFor();
  assert.ok(await page.getByRole("heading", { name: evil, exact: true }).isVisible());
  for (const path of ["accounts", "pending", "audit", `accounts?q=${encodeURIComponent(evil)}`]) {
    await page.goto(`${directory.url}/console/${path}`);
    assert.equal(await page.locator("script, main img").count(), 0, path);
  }
  assert.deepEqual(page.refusals, [], "nothing was left to the browser to refuse");
});

test("no page has a barrier, is wider than a phone, or loads what it may not", async () => {
  await directory.arrival("ada", { userName: "ada@acme.example" });
  await directory.arrival(`https://sts.example.com/${"long".repeat(40)}`);
  await directory.act("ada", "disable", `a reason of some length ${"and more ".repeat(30)}`);
  const { id } = await directory.account("ada");
  const pages = ["accounts", "accounts?q=nobody", `accounts/${id}`, "pending?choose=all", "dormant", "audit", "nowhere"];
  for (const [look, settings] of Object.entries(LOOKS)) {
    const page = await visit(tokens.admin, settings);
    for (const path of [...pages, "login"]) {
      await page.goto(`${directory.url}/console/${path}`);
      assert.deepEqual(await barriers(page), [], `${path}, ${look}`);
      assert.equal(await overflows(page), false, `${path}, ${look}`);
    }
    await page.goto(`${directory.url}/console/accounts/${id}`);
    await page.getByLabel("Reason").fill("left");
    await page.getByRole("button", { name: "Depart" }).click();
    assert.deepEqual(await barriers(page), [], `confirmation, ${look}`);
    const unexpected = page.refusals.filter((text) => !text.includes("404"));
    assert.deepEqual(unexpected, [], look);
  }
});

test("pages are dark where the system is, and both are easy to read", async () => {
  const paper = async (look) => {
    const page = await visit(tokens.admin, look);
    return page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
  };
  const [light, dark] = [await paper(LOOKS.light), await paper(LOOKS.dark)];
  assert.ok(Math.min(...light) > 200 && Math.max(...dark) < 60, `${light} ${dark}`);
});

test("a revoked token ends the session at the next page", async () => {
  const token = await directory.token("for-a-day", "admin");
  const page = await visit(token);
  await page.getByRole("heading", { name: "Accounts" }).waitFor();
  await directory.call("DELETE", "/v1/tokens/for-a-day");
  await part(page, "Audit").click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
});

test("a phone has every part within reach of a thumb", async () => {
  await directory.arrival("thumb");
  const page = await visit(tokens.admin, LOOKS.phone);
  await part(page, "Pending").tap();
  for (const control of await page.locator("main button, main label:has([type=checkbox]), header nav a").all()) {
    const { width, height } = await control.boundingBox();
    assert.ok(width >= 24 && height >= 38, `${await control.innerText()}: ${width} by ${height}`);
  }
  await page.getByLabel("Reason").fill("from the train");
  await page.getByLabel("Choose thumb").tap();
  await page.getByRole("button", { name: "Approve" }).tap();
  await page.getByRole("status").waitFor();
  assert.equal(await state("thumb"), "active");
});
