// The stepper: less and more, with the price of that many fetched from the server and put in its place.

export function quantity(): void {
  for (const stepper of document.querySelectorAll<HTMLElement>("[data-stepper]")) step(stepper);
}

function step(stepper: HTMLElement): void {
  const input = stepper.querySelector<HTMLInputElement>("input");
  if (!input) return;
  const [less, more] = stepper.querySelectorAll<HTMLButtonElement>("button");
  const least = Number(input.min) || 1;
  const most = Number(input.max) || 99;
  let timer = 0;

  function to(value: number): void {
    const bounded = Math.min(most, Math.max(least, Math.round(value) || least));
    input!.value = String(bounded);
    for (const copy of document.querySelectorAll<HTMLInputElement>("[data-quantity-copy]")) copy.value = String(bounded);
    if (less) less.disabled = bounded <= least;
    if (more) more.disabled = bounded >= most;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void price(stepper.dataset["stepper"] ?? "", bounded), 150);
  }

  for (const button of [less, more]) if (button) button.hidden = false;
  less?.addEventListener("click", () => to(Number(input.value) - 1));
  more?.addEventListener("click", () => to(Number(input.value) + 1));
  input.addEventListener("change", () => to(Number(input.value)));
  if (less) less.disabled = Number(input.value) <= least;
  if (more) more.disabled = Number(input.value) >= most;
}

/** Puts the price of `quantity` where it is shown: the fragment holds elements with the ids of those it replaces. */
async function price(address: string, quantity: number): Promise<void> {
  if (!address) return;
  const answer = await fetch(`${address}?quantity=${quantity}`);
  if (!answer.ok) return;
  const fragment = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const fresh of fragment.querySelectorAll<HTMLElement>("[data-fragment]")) {
    const old = document.getElementById(fresh.id);
    if (old instanceof HTMLInputElement && fresh instanceof HTMLInputElement) old.value = fresh.value;
    else old?.replaceChildren(...fresh.childNodes);
  }
}
