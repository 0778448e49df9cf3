// Builds the browser files of both faces into the Python package, where the web process serves them.
// Each entry is found by its folder; every file name carries a hash of its content, so it may be cached for ever.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vite";
import { precompress } from "./precompress.ts";

const faces = ["storefront", "console"];
const entries = Object.fromEntries(
  faces.map((face) => [face, resolve(import.meta.dirname, face, "main.ts")] as const).filter(([, entry]) => existsSync(entry)),
);

export default defineConfig({
  root: import.meta.dirname,
  base: "/assets/",
  publicDir: false,
  build: {
    outDir: "../src/tidegate/app/assets",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: ["chrome87", "safari14", "firefox90"],
    cssTarget: ["chrome87", "safari14", "firefox90"],
    modulePreload: { polyfill: false },
    assetsDir: "",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rollupOptions: { input: entries },
  },
  plugins: [precompress()],
});
