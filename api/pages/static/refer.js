// Making a referral: to leave at once, and slips said where they are typed. Pages are complete without this.
(() => {
  // The page is emptied first, and the place it had in the history is taken: going back does not lead to it.
  const exit = document.querySelector(".govuk-js-exit-this-page-button");
  const leave = () => {
    document.documentElement.hidden = true;
    location.replace(exit.href);
  };
  exit?.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });

  // Shift three times in a row, as the Design System's own component has it.
  let presses = 0;
  document.addEventListener("keyup", (event) => {
    presses = event.key === "Shift" ? presses + 1 : 0;
    if (exit && presses === 3) leave();
  });

  // What a browser kept of a page to go back to is not shown: it is asked for anew, and is there only for whoever still writes it.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.documentElement.hidden = true;
    location.reload();
  });

  const form = document.querySelector("form[data-looked-over-at]");
  if (!form) return;
  const changed = new Set();

  const look = async () => {
    if (!changed.size) return;
    const answer = await fetch(form.dataset.lookedOverAt, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of found.querySelectorAll("[data-doubt]")) {
      const name = part.dataset.doubt;
      if (!changed.has(name)) continue;
      document.querySelector(`[data-look="${name}"]`).classList.toggle("mash-looked--doubt", part.childElementCount > 0);
      document.getElementById(`doubt-${name}`).replaceChildren(...part.childNodes);
    }
  };

  const groupOf = (element) => element?.closest?.("[data-look]");
  form.addEventListener("change", (event) => {
    if (event.target.name === "kept") return;
    const group = groupOf(event.target);
    if (group) changed.add(group.dataset.look);
    else look(); // what is in doubt may depend on this answer
  });
  form.addEventListener("focusout", (event) => {
    const group = groupOf(event.target);
    // Nothing moves under whoever is pressing a button.
    if (!group || group.contains(event.relatedTarget) || event.relatedTarget?.closest("button, a")) return;
    look();
  });
})();
