// A page follows its order or group: when its state changes, the page's middle is fetched anew and the change is said aloud.
import { live } from "../design/live.ts";

interface OrderNow {
  mark: string;
  settled: boolean;
}

export function order(): void {
  const place = document.querySelector<HTMLElement>("[data-live][data-mark]");
  const address = place?.dataset["live"];
  if (!place || !address) return;
  let mark = place.dataset["mark"] ?? "";

  live<OrderNow>(
    () => address,
    Number(place.dataset["every"]) || 2000,
    (now) => {
      if (now.mark !== mark) {
        mark = now.mark;
        void renew(place);
      }
      return now.settled;
    },
  );
}

async function renew(place: HTMLElement): Promise<void> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const middle = fresh.getElementById(place.id);
  if (!middle) return;
  place.replaceChildren(...middle.childNodes);
  const said = document.getElementById("said");
  if (said) said.textContent = middle.dataset["said"] ?? "";
}
