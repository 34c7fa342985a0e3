// A folder, served on 127.0.0.1 for as long as a test runs. What `leftOut` matches is an empty page.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

export async function serve(folder, leftOut) {
  const server = createServer((request, response) => {
    if (leftOut?.test(request.url)) {
      response.writeHead(200, { "content-type": types[".html"] }).end("<!doctype html><title>left out</title>");
      return;
    }
    if (request.url === "/favicon.ico") {
      response.writeHead(204).end(); // asked for by the browser, not by the page
      return;
    }
    let file = join(folder, normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname)));
    try {
      if (statSync(file).isDirectory()) file = join(file, "index.html");
      statSync(file);
    } catch {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "cache-control": "max-age=600",
    });
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
