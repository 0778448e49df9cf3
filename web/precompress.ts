// Writes .br, .gz and (where this Node can) .zst beside every built file, so that no process compresses them again.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as zlib from "node:zlib";
import type { Plugin } from "vite";

const compressible = /\.(?:js|css|svg|json|html|txt|map)$/;
const worthwhile_bytes = 400;

type Compress = (input: Buffer) => Buffer;

// Node 20 has no Zstandard; the server then answers with Brotli, which every browser of the last eight years takes.
const zstd = (zlib as unknown as { zstdCompressSync?: Compress }).zstdCompressSync;

const encodings: Record<string, Compress> = {
  br: (input) => zlib.brotliCompressSync(input, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } }),
  gz: (input) => zlib.gzipSync(input, { level: 9 }),
  ...(zstd ? { zst: zstd } : {}),
};

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

export function precompress(): Plugin {
  let folder = "";
  return {
    name: "precompress",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const path of files(folder).filter((name) => compressible.test(name))) {
        const content = readFileSync(path);
        if (content.length < worthwhile_bytes) continue;
        for (const [suffix, compress] of Object.entries(encodings)) writeFileSync(`${path}.${suffix}`, compress(content));
      }
    },
  };
}
