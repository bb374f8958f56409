// Builds what browsers get, and the fonts of the PDF, into static/dist/: `npm ci && npm run build`.
// `--clean-lock` instead removes from package-lock.json what installing does not need: addresses of sponsors.

import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { build, transform } from "esbuild";

const OUT = "static/dist";
const SOURCES = ["templates", "static/src/js", "accounts", "numbers", "portal", "webphone"];
const SOURCE_KINDS = [".html", ".js", ".py"];
const ICONS = "node_modules/@tabler/icons/icons/outline";
const FONTS = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"];

/** The texts in which names of classes and icons may occur. */
async function readSources() {
  const texts = new Map();
  for (const folder of SOURCES) {
    const found = await readdir(folder, { recursive: true }).catch(() => []);
    for (const name of found.filter((file) => SOURCE_KINDS.includes(extname(file)))) {
      texts.set(join(folder, name), await readFile(join(folder, name), "utf8"));
    }
  }
  return texts;
}

// Style sheets: Tabler has a rule for everything it can show, ten times what the portal uses.

/** Cut a style sheet into [head, body] pairs; a statement without a block has the body null. */
function cutRules(css) {
  const rules = [];
  const token = /\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]/g;
  let depth = 0;
  let start = 0;
  let open = 0;
  for (let match; (match = token.exec(css)); ) {
    const at = match.index;
    if (match[0] === "{" && depth++ === 0) open = at;
    else if (match[0] === "}" && --depth === 0) {
      rules.push([css.slice(start, open).trim(), css.slice(open + 1, at)]);
      start = at + 1;
    } else if (match[0] === ";" && depth === 0) {
      rules.push([css.slice(start, at).trim(), null]);
      start = at + 1;
    } else if (match[0].startsWith("/*") && depth === 0 && !css.slice(start, at).trim()) start = token.lastIndex;
  }
  return rules;
}

function cutSelectors(list) {
  const selectors = [""];
  let depth = 0;
  for (const character of list) {
    if ("([".includes(character)) depth++;
    else if (")]".includes(character)) depth--;
    if (character === "," && depth === 0) selectors.push("");
    else selectors[selectors.length - 1] += character;
  }
  return selectors.map((selector) => selector.trim());
}

/** Drop the rules of Tabler's layer whose classes and attributes no source ever names. */
function keepNamedOfTabler(css, words) {
  return cutRules(css)
    .map(([head, body]) => {
      if (body === null) return `${head};`;
      return `${head}{${head === "@layer tabler" ? keepNamed(body, words) : body}}`;
    })
    .join("");
}

function keepNamed(css, words) {
  const canMatch = (selector) => {
    const plain = selector.replace(/:(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)/g, "");
    const names = [...plain.matchAll(/\.((?:[\w-]|\\.)+)/g), ...plain.matchAll(/\[([\w-]+)/g)];
    return names.every(([, name]) => words.has(name.replaceAll("\\", "")));
  };
  let kept = "";
  for (const [head, body] of cutRules(css)) {
    if (body === null) kept += `${head};`;
    else if (/^@(media|supports|layer|container)/.test(head)) {
      const inner = keepNamed(body, words);
      if (inner) kept += `${head}{${inner}}`;
    } else if (head.startsWith("@")) kept += `${head}{${body}}`;
    else {
      const selectors = cutSelectors(head).filter(canMatch);
      if (selectors.length) kept += `${selectors.join(",")}{${body}}`;
    }
  }
  return kept;
}

/** Drop custom properties that nothing reads, until none is left. */
function dropUnreadProperties(css) {
  for (let before; before !== css; ) {
    before = css;
    const read = new Set([...css.matchAll(/var\(\s*(--[\w-]+)/g)].map(([, name]) => name));
    css = css.replace(
      /(--tblr-[\w-]+)\s*:(?:"(?:\\.|[^"\\])*"|[^;{}"])*(?:;|(?=\}))/g,
      (declaration, name) => (read.has(name) ? declaration : ""),
    );
  }
  return css;
}

function dropUnusedAnimations(css) {
  const without = css.replace(/@keyframes\s+[\w-]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, "");
  return css.replace(/@keyframes\s+([\w-]+)\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, (rule, name) =>
    new RegExp(`(?:animation|animation-name)\\s*:[^;}]*\\b${name}\\b`).test(without) ? rule : "",
  );
}

/** Write pictures that are inlined in the style sheet into files: our content security policy allows no data: URL. */
async function writePictures(css) {
  const pictures = new Map();
  const result = css.replace(/url\("data:image\/svg\+xml,([^"]*)"\)/g, (_, encoded) => {
    const svg = decodeURIComponent(encoded);
    const name = `${createHash("sha256").update(svg).digest("hex").slice(0, 8)}.svg`;
    pictures.set(name, svg);
    return `url("./img/${name}")`;
  });
  if (/url\(\s*["']?data:/.test(result)) throw new Error("A data: URL is left in the style sheet.");
  await mkdir(join(OUT, "img"), { recursive: true });
  for (const [name, svg] of pictures) await writeFile(join(OUT, "img", name), svg);
  return result;
}

async function buildStyles(words) {
  const { outputFiles } = await build({
    entryPoints: ["static/src/css/portal.css", "static/src/css/cards.css"],
    outdir: OUT,
    bundle: true,
    write: false,
    loader: { ".svg": "file" },
    assetNames: "img/[name]",
    legalComments: "none",
    logLevel: "warning",
    supported: { nesting: false },
  });
  let css = "";
  for (const file of outputFiles) {
    if (file.path.endsWith("cards.css")) await writeFile(file.path, (await transform(file.text, { loader: "css", minify: true })).code);
    else if (file.path.endsWith(".css")) css = file.text;
    else {
      await mkdir(join(file.path, ".."), { recursive: true });
      await writeFile(file.path, await readableAlone(file.text));
    }
  }
  css = dropUnusedAnimations(dropUnreadProperties(keepNamedOfTabler(css, words)));
  const { code } = await transform(await writePictures(css), { loader: "css", minify: true });
  await writeFile(join(OUT, "portal.css"), `/* Contains parts of Tabler (MIT): see node_modules/@tabler/core */\n${code}`);
}

/** An icon as a picture of its own, for masks: no class names, no size of its own. */
async function readableAlone(svg) {
  return svg.replace(/\s*class="[^"]*"/, "").replaceAll(/\s+/g, " ");
}

// Icons: the shapes of the ones in use, for the tag that draws them into pages.

async function buildIcons(sources) {
  const names = new Set();
  for (const [file, text] of sources) {
    if (file.endsWith(".html")) for (const [, name] of text.matchAll(/\{%\s*icon\s+"([a-z0-9-]+)"/g)) names.add(name);
  }
  const known = new Set((await readdir(ICONS)).map((file) => file.slice(0, -".svg".length)));
  const unknown = [...names].filter((name) => !known.has(name));
  if (unknown.length) throw new Error(`Templates use icons that Tabler does not have: ${unknown.join(", ")}`);
  // The menu is declared in Python; there, any string that is the name of an icon counts.
  for (const [, name] of (sources.get(join("accounts", "shell.py")) ?? "").matchAll(/"([a-z0-9-]+)"/g)) {
    if (known.has(name)) names.add(name);
  }
  const shapesOf = {};
  for (const name of [...names].sort()) {
    const svg = await readFile(join(ICONS, `${name}.svg`), "utf8");
    const [, shapes] = svg.match(/<svg[^>]*>([\s\S]*)<\/svg>/);
    const drawn = shapes.replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" \/>/, "");
    shapesOf[name] = drawn.trim().replaceAll(/\s*\n\s*/g, "");
  }
  await writeFile(join(OUT, "icons.json"), JSON.stringify(shapesOf));
}

async function buildScripts() {
  await build({
    entryPoints: ["portal", "theme", "passkeys", "webphone", "jssip"].map((name) => `static/src/js/${name}.js`),
    outdir: OUT,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    logLevel: "warning",
  });
}

async function copyFonts() {
  await mkdir(join(OUT, "fonts"), { recursive: true });
  for (const font of FONTS) await cp(join("node_modules/dejavu-fonts-ttf/ttf", font), join(OUT, "fonts", font));
}

async function cleanLock() {
  const lock = JSON.parse(await readFile("package-lock.json", "utf8"));
  for (const entry of Object.values(lock.packages)) delete entry.funding;
  await writeFile("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
}

async function buildAll() {
  await rm(OUT, { recursive: true, force: true });
  await mkdir(OUT, { recursive: true });
  const sources = await readSources();
  const words = new Set([...sources.values()].join("\n").match(/[A-Za-z][\w-]*/g));
  await Promise.all([buildStyles(words), buildIcons(sources), buildScripts(), copyFonts()]);
  await cp("static/src/favicon.svg", join(OUT, "favicon.svg"));
}

await (process.argv.includes("--clean-lock") ? cleanLock() : buildAll());
