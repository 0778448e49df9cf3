// The islands of the storefront. Every page works without them; they save waiting, walking and typing.
import "./storefront.css";
import { cart } from "./cart.ts";
import { countdowns } from "./countdown.ts";
import { forms } from "./forms.ts";
import { line } from "./line.ts";
import { order } from "./order.ts";
import { quantity } from "./quantity.ts";
import { queueWork } from "./queue_work.ts";
import { share } from "./share.ts";
import { slots } from "./slots.ts";
import { stock } from "./stock.ts";

stock();
slots();
countdowns();
cart();
forms();
quantity();
order();
line();
queueWork();
share();

const draw = document.querySelector<HTMLElement>("[data-draw]");
if (draw) void import("./draw_page.ts").then((page) => page.drawPage(draw));
const receipt = document.querySelector<HTMLElement>("[data-receipt]");
if (receipt) void import("./receipt_page.ts").then((page) => page.receiptPage(receipt));
