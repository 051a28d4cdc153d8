// The name that was probably meant.
//
// The distance counts insertions, deletions, replacements and swaps of neighbours, the four slips of typing (optimal
//   string alignment). A third of the name may be wrong; beyond that a suggestion is a guess and misleads.
// Decided elsewhere: which names there are (vocabulary.ts).

/** How many slips of typing lie between two words. */
export function distance(a: string, b: string): number {
  const row = (i: number) => Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0));
  let before: number[] = [];
  let above = row(0);
  for (let i = 1; i <= a.length; i++) {
    const current = row(i);
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(above[j]! + 1, current[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      current[j] = best;
    }
    before = above;
    above = current;
  }
  return above[b.length]!;
}

/** The nearest of `names`, the first one where several are equally near. Undefined when none is near. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase().replaceAll('_', '-');
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of names) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const d = distance(wanted, candidate);
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}
