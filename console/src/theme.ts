/** Dark or light: as the system says, until the reader chooses. */
import { computed, signal } from "@preact/signals";

export type Theme = "dark" | "light";

const KEY = "zilzal.theme";
const light = window.matchMedia("(prefers-color-scheme: light)");
const system = signal<Theme>(light.matches ? "light" : "dark");
const chosen = signal<Theme | null>(remembered());

light.addEventListener("change", () => {
  system.value = light.matches ? "light" : "dark";
});

function remembered(): Theme | null {
  const found = localStorage.getItem(KEY);
  return found === "dark" || found === "light" ? found : null;
}

export const theme = computed<Theme>(() => chosen.value ?? system.value);

theme.subscribe((value) => {
  document.documentElement.dataset["theme"] = value;
});

/** The other theme, remembered in this browser. */
export function toggleTheme(): void {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, chosen.value);
}

const read = new Map<string, string>();

/** A colour of the style sheet in the current theme; reading it follows the theme. */
export function colour(name: string): string {
  const key = `${theme.value} ${name}`;
  const known = read.get(key);
  if (known !== undefined) return known;
  const found = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  read.set(key, found);
  return found;
}

/** Colour of a phase's picks. */
export function phaseColour(phase: string): string {
  return colour(phase === "S" ? "s" : "p");
}

/** Colour of a network's curve: that of its phase, or of an event. */
export function curveColour(label: string): string {
  return label === "P" || label === "S" ? phaseColour(label) : colour("detection");
}

/** Whether a curve says something of its own: the noise is what the others leave. */
export function isTelling(label: string): boolean {
  return label.toLowerCase() !== "noise";
}
