// Clocks that count. Pages are complete without this; times are the server's, which may run faster than ours in a demonstration.
(() => {
  const here = document.body.dataset;
  const started = performance.now();
  const now = () => Date.parse(here.now) + (performance.now() - started) * Number(here.rate || 1);

  const length = (milliseconds) => {
    const all = Math.floor(Math.abs(milliseconds) / 60000);
    const [hours, minutes] = [Math.floor(all / 60), all % 60];
    if (all >= 2880) return `${Math.floor(all / 1440)} days`;
    if (all >= 720) return `${hours} h`;
    if (hours) return `${hours} h${minutes ? ` ${minutes} min` : ""}`;
    return `${minutes} min`;
  };

  const tick = () => {
    for (const clock of document.querySelectorAll("[data-due]")) {
      const left = Date.parse(clock.dataset.due) - now();
      const haste = left < 0 ? "late" : left <= 3600000 ? "soon" : "later";
      const words = left < 0 ? `${length(left)} late` : `${length(left)} left`;
      if (clock.textContent !== words) clock.textContent = words;
      clock.className = `mash-clock mash-clock--${haste}`;
    }
  };

  if (here.now) {
    tick();
    setInterval(tick, 1000);
    document.addEventListener("htmx:after:swap", tick);
  }

  // Whose session is over sees that, and not what was on the screen.
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail?.ctx?.response?.status === 401) location.reload();
  });

  // One key goes to the field of the bar; whoever is typing types it.
  const goto = document.getElementById("goto");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (!goto || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    event.preventDefault();
    goto.focus();
  });

  // A summary of errors is what somebody is to read first.
  document.querySelector(".govuk-error-summary")?.focus();

  // What a form asks for only after some answer is folded away until then; without this it is all there.
  for (const choice of document.querySelectorAll("[data-aria-controls]")) {
    const part = document.getElementById(choice.dataset.ariaControls);
    const group = choice.name && choice.form ? choice.form.elements[choice.name] : choice;
    const show = () => part.classList.toggle("govuk-radios__conditional--hidden", !choice.checked);
    for (const each of group instanceof RadioNodeList ? group : [group]) each.addEventListener("change", show);
    choice.setAttribute("aria-controls", part.id);
    show();
  }
})();
