// A form is sent once: its button says that it is busy, and another press does nothing.

export function forms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.method !== "post") return;
    if (form.dataset["sent"]) return event.preventDefault();
    form.dataset["sent"] = "yes";
    const button = event.submitter as HTMLElement | null;
    button?.setAttribute("aria-busy", "true");
    const words = form.querySelector<HTMLElement>("[data-while-sending]");
    if (words) words.hidden = false;
  });

  // Back to a page kept by the browser: the form can be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset["sent"];
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  document.getElementById("faults")?.focus();
}
