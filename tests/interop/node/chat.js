/*  chat.js - two tabs of Chromium in the chat of `weft up`: each says something, and hears the other
 *
 *  chat.js URL     prints what each of them shows in the end, a line of JSON a tab
 *
 *  It waits by locators: what waitForFunction evaluates again the page's own policy forbids. */

const { chromium } = require("playwright-core");

const LIMIT = 20000;        // ms that anything may take

async function tab(context, url, name) {
    const page = await context.newPage();
    page.on("pageerror", error => console.error(name + ": " + error));
    await page.goto(url, { timeout: LIMIT });
    await page.locator("#state", { hasText: "is connected" }).waitFor({ timeout: LIMIT });
    await page.fill("#name", name);
    return page;
}

async function say(page, text) {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
}

async function hear(page, count) {
    await page.locator("#lines li").nth(count - 1).waitFor({ timeout: LIMIT });
}

async function main(url) {
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    try {
        const context = await browser.newContext();
        const one = await tab(context, url, "one"), two = await tab(context, url, "two");
        await say(one, "hello <b>there</b>");
        await hear(two, 1);
        await say(two, "grüß dich \u{1f642}");
        await hear(one, 2);
        for (const page of [one, two])
            console.log(JSON.stringify(await page.$$eval("#lines li", lines => lines.map(line => line.textContent))));
    } finally {
        await browser.close();
    }
}

main(process.argv[2]).catch(error => {
    console.error(String(error));
    process.exit(1);
});
