// The cart: its count in the head of every page, adding without leaving the page, and changing it in place.
// <button data-add data-failed="..."> in a form with sku and quantity; its words go to [data-added], the way to [data-to-cart].
// On the cart's page: <div id="cart"> with <form data-cart> and [data-cart-stepper]; each answer is the page, whose #cart is taken.

const wait_ms = 250;
let asked = 0;

export function cart(): void {
  count();
  window.addEventListener("pageshow", count);
  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("[data-add]");
    if (button?.form) {
      event.preventDefault();
      void add(button, button.form);
    }
  });
  const place = document.getElementById("cart");
  if (place) change(place);
}

/** Shows how many units the cookie holds: a page that is the same for everybody cannot know. */
function count(): void {
  const kept = /(?:^|; )tg_cart=([^;]*)/.exec(document.cookie)?.[1] ?? "";
  const units = kept.split("~").reduce((sum, line) => sum + (Number(line.split(":")[1]) || 0), 0);
  for (const place of document.querySelectorAll<HTMLElement>("[data-cart-count]")) {
    place.textContent = units > 99 ? "99+" : String(units);
    place.hidden = units === 0;
  }
}

async function add(button: HTMLButtonElement, form: HTMLFormElement): Promise<void> {
  if (button.getAttribute("aria-busy") || !form.reportValidity()) return;
  button.setAttribute("aria-busy", "true");
  const note = form.querySelector<HTMLElement>("[data-added]");
  const way = form.querySelector<HTMLElement>("[data-to-cart]");
  if (note) note.textContent = "";
  try {
    const answer = await fetch("/cart/lines", {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)])),
    });
    const said = (await answer.json()) as { said: string; text: string };
    if (note) note.textContent = [said.said, said.text].filter(Boolean).join(" ");
    if (way) way.hidden = false;
  } catch {
    if (note) note.textContent = button.dataset["failed"] ?? "";
  }
  button.removeAttribute("aria-busy");
  count();
}

function change(place: HTMLElement): void {
  let timer = 0;
  reveal(place);

  place.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-cart]")) return;
    event.preventDefault();
    if (form.dataset["sent"]) return; // pressed twice: once is meant
    window.clearTimeout(timer);
    void send(place, form);
  });

  function soon(input: HTMLInputElement): void {
    asked += 1; // what is under way is not shown any more
    window.clearTimeout(timer);
    timer = window.setTimeout(() => input.form && void send(place, input.form), wait_ms);
  }

  place.addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    if (input.closest("[data-cart-stepper]")) soon(input);
  });

  place.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("[data-cart-stepper] button");
    const input = button?.parentElement?.querySelector<HTMLInputElement>("input");
    if (!button || !input) return;
    const value = Number(input.value) + (button.id.startsWith("less-") ? -1 : 1);
    // One that is above what can be had steps down by one too: the line says what can.
    input.value = String(Math.max(1, value));
    soon(input);
  });
}

function reveal(place: HTMLElement): void {
  for (const each of place.querySelectorAll<HTMLElement>("[data-without-script]")) each.hidden = true;
  for (const stepper of place.querySelectorAll<HTMLElement>("[data-cart-stepper]")) {
    const input = stepper.querySelector("input");
    const [less, more] = stepper.querySelectorAll("button");
    if (!input || !less || !more) continue;
    less.hidden = more.hidden = false;
    less.disabled = Number(input.value) <= 1;
    more.disabled = Number(input.value) >= Number(input.max);
  }
}

/** Sends a form and shows the cart as the answer has it, with the focus where it was. */
async function send(place: HTMLElement, form: HTMLFormElement): Promise<void> {
  const mine = (asked += 1);
  const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body });
    // The colours behind the pictures are those of another page: this page's policy does not know them.
    const html = (await answer.text()).replace(/<style>[^]*?<\/style>/g, "");
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("cart");
    if (!fresh) throw new Error(String(answer.status));
    count();
    if (mine === asked) show(place, fresh);
  } catch {
    location.reload();
  }
}

function show(place: HTMLElement, fresh: HTMLElement): void {
  const focused = document.activeElement?.id ?? "";
  const had_focus = place.contains(document.activeElement);
  place.replaceChildren(...fresh.childNodes);
  reveal(place);
  const said = document.getElementById("said");
  if (said) said.textContent = fresh.dataset["said"] ?? "";
  if (!had_focus) return;
  const again = focused ? document.getElementById(focused) : null;
  const usable = again instanceof HTMLButtonElement && again.disabled ? again.parentElement?.querySelector("input") : again;
  (usable ?? place.querySelector<HTMLElement>("h1"))?.focus();
}
