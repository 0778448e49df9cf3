// The scripts of the console. Charts are loaded only by the pages that draw them.
import "./console.css";
import { clocks } from "./clocks.ts";

clocks();

const page = document.body.dataset["page"];
if (page === "live") void import("./live.ts").then((module) => module.start());
if (page === "editor") void import("./editor.ts").then((module) => module.start());
if (page === "payments") void import("./channels_chart.ts").then((module) => module.start());
