// What was refused is told where it can be put right, which may be far down the page: go there.
document.querySelector("[data-refused]")?.focus();
