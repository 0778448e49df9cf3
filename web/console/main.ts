// The scripts of the console. Charts are loaded only by the pages that draw them.
import "./console.css";
import { clocks } from "./clocks.ts";

clocks();
// Below, on a phone, the rooms are a strip that is wider than the screen.
if (matchMedia("(max-width: 899px)").matches) document.querySelector(".rooms [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const page = document.body.dataset["page"];
if (page === "live") void import("./live.ts").then((module) => module.start());
if (page === "editor") void import("./editor.ts").then((module) => module.start());
if (page === "payments") void import("./channels_chart.ts").then((module) => module.start());
if (page === "gate") void import("./gate.ts").then((module) => module.start());
if (page === "bots") void import("./bots.ts").then((module) => module.start());
if (page === "defences") void import("./defences.ts").then((module) => module.start());
