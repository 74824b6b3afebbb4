// Pictures of every page of the console, in every look, to be looked at: node pictures.mjs FOLDER
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { launch, login, LOOKS } from "./browser.mjs";
import { ENVIRONMENT, start } from "./directory.mjs";

const DAY = 24 * 60 * 60;
const folder = process.argv[2];
const directory = await start({
  options: ["--new-accounts", "pending"],
  settings: '[dormancy.person]\nreview = "60d"\ndisable = "90d"\nwarn = "14d"\ngrace = "1d"\n',
});
const browser = await launch();
try {
  const people = ["ada", "grace", "hedy", "katherine", "mary", "radia", "shafi", "tu-youyou", "vera", "wu"];
  for (const sub of people) {
    const email = `${sub}@acme.example`;
    await directory.arrival(sub, { userName: email, emails: email, name: { givenName: sub, familyName: "Ω" } });
    await directory.act(sub, "approve", "known to the team lead");
  }
  await directory.arrival("0d1f7f36-7f1c-4a39-9a3a-2b1c5f0e9d11", {}, { kind: "service", gateway: "edge-us-2" });
  await directory.arrival("research-agent", {}, { kind: "agent" });
  await directory.arrival("https://sts.example.com/very/long/subject/identifier/that-does-not-end-soon/0123456789abcdef");
  await directory.arrival("ada", { emails: "ada@lovelace.example", title: "<script>alert(1)</script>" }, { cause: "drift" });
  await directory.act("ada", "disable", "her laptop was stolen; ticket SEC-1024");
  await directory.act("ada", "enable", "new laptop, keys rotated");
  await directory.act("hedy", "disable", "on leave until March");
  await directory.act("vera", "depart", "left the company on 24 November");
  for (const [index, sub] of people.entries()) await directory.sighting(sub, 45 + index * 5000, 137 + index * 11);
  // Time goes by faster here: some were not used for months.
  const database = new DatabaseSync(join(directory.folder, "accounts.db"));
  const past = database.prepare(
    `UPDATE accounts SET created_at = created_at - ?1, state_since = state_since - ?1, active_at = active_at - ?1,
       last_seen = last_seen - ?1 WHERE subject IN ('mary', 'radia', 'shafi')`,
  );
  past.run(80 * DAY * 1000);
  database.exec("UPDATE accounts SET active_at = active_at - 2e9, last_seen = last_seen - 2e9 WHERE subject = 'radia'");
  await directory.call("POST", "/v1/dormancy/sweep", {});
  await directory.sighting("shafi", 1);
  await directory.token("night-shift", "auditor");

  const { id } = await directory.account("ada");
  const marked = await directory.account("mary");
  const pages = {
    accounts: "accounts",
    "accounts-none": "accounts?q=nobody",
    account: `accounts/${id}`,
    dormant: "dormant",
    "account-dormant": `accounts/${marked.id}`,
    pending: "pending?choose=all",
    audit: "audit",
    "audit-none": "audit?event=return&actor=nobody",
    missing: "accounts/none",
  };
  for (const [look, settings] of Object.entries(LOOKS)) {
    const page = await browser.newPage(settings);
    const take = (name) => page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
    await login(page, directory.url, "a-token-that-is-not-known");
    await take("login-refused");
    await login(page, directory.url, ENVIRONMENT);
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(`${directory.url}/console/${path}`);
      await take(name);
    }
    await page.goto(`${directory.url}/console/accounts/${id}`);
    await page.getByLabel("Reason").fill("left the company");
    await page.getByRole("button", { name: "Depart" }).click();
    await take("confirmation");
    await page.close();
  }
} finally {
  await browser.close();
  await directory.stop();
}
