/*  ticks.js - the page of examples/ticks in Chromium, behind a relay whose connections can be cut
 *
 *  ticks.js URL    reads lines, and answers each with one of JSON when it is so:
 *
 *      wait SELECTOR TEXT  an element has TEXT in it
 *      cut                 the page's connections are cut
 *      cards               what all cards show: [symbol, value, number, gap], and whether something is drawn */

"use strict";
const net = require("node:net");
const readline = require("node:readline");
const { chromium } = require("playwright-core");

const LIMIT = 20000;        // ms that anything may take
const open = new Set();

function relay(port) {
    const server = net.createServer(near => {
        const far = net.connect(port, "127.0.0.1");
        for (const [socket, other] of [[near, far], [far, near]]) {
            open.add(socket);
            socket.on("error", () => {}).on("close", () => {
                open.delete(socket);
                other.destroy();
            });
        }
        near.pipe(far).pipe(near);
    });
    return new Promise(resolve => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

function cards() {
    const drawn = canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(x => x);
    return [...document.querySelectorAll("article")].map(article => {
        const text = name => article.querySelector(name).textContent;
        return [text("h2"), text(".value"), text(".number"), text(".gap"), drawn(article.querySelector("canvas"))];
    });
}

async function obey(page, line) {
    const [command, ...words] = line.split(" ");
    if (command == "cards")
        return page.evaluate(cards);
    if (command == "cut")
        open.forEach(socket => socket.destroy());
    else {
        const [selector, ...text] = words;
        await page.locator(selector, { hasText: text.join(" ") }).first().waitFor({ timeout: LIMIT });
    }
    return line;
}

async function main(url) {
    const port = await relay(Number(new URL(url).port));
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    try {
        const page = await browser.newPage();
        page.on("pageerror", error => console.error(String(error)));
        await page.goto("http://127.0.0.1:" + port + "/" + new URL(url).search, { timeout: LIMIT });
        for await (const line of readline.createInterface({ input: process.stdin }))
            console.log(JSON.stringify(await obey(page, line)));
    } finally {
        await browser.close();
    }
}

main(process.argv[2]).then(() => process.exit(0), error => {
    console.error(String(error));
    process.exit(1);
});
