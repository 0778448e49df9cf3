// A link is handed on by the device's own sharing, or copied; without either it stands there to be selected.

export function share(): void {
  const can_share = "share" in navigator;
  if (!can_share && !navigator.clipboard) return;
  reveal();

  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("[data-share]");
    const link = button?.dataset["share"];
    if (!button || !link) return;
    if (can_share) {
      navigator.share({ url: link, title: document.title }).catch(() => undefined);
      return;
    }
    void navigator.clipboard.writeText(link).then(() => {
      const words = button.querySelector("span");
      if (words) words.textContent = button.dataset["done"] ?? "";
    });
  });

  // The page's middle is renewed when the group moves: its button is a new one then.
  new MutationObserver(reveal).observe(document.body, { childList: true, subtree: true });
}

function reveal(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-share][hidden]")) button.hidden = false;
}
