/**
 * Puts two lists next to each other.
 *
 * @module
 */

/** An item of one list next to one of the other: their indexes. A list without an item has none. */
export type IndexPair = [left: number, right: number] | [left: number] | [
  left: undefined,
  right: number,
];

/**
 * Returns two lists in rows, with their heaviest common subsequence: the sum of the weights of the
 * rows that have items of both lists is as large as possible.
 *
 * @param left The length of the left list.
 * @param right The length of the right list.
 * @param weight Returns how much two items are the same; 0 means that they are not.
 * @param maxPairs How many pairs of items to compare. Of longer lists only the start that is the same
 *   shares rows.
 */
export function alignLists(
  left: number,
  right: number,
  weight: (left: number, right: number) => number,
  maxPairs = Infinity,
): IndexPair[] {
  const rows: IndexPair[] = [];
  let [i, j] = [0, 0];
  if (left * right > maxPairs) {
    while (i < left && j < right && weight(i, j) > 0) rows.push([i++, j++]);
    while (i < left) rows.push([i++]);
    while (j < right) rows.push([undefined, j++]);
    return rows;
  }
  // best[i][j] is the largest sum for what follows item i of the left and item j of the right list.
  const best = Array.from({ length: left + 1 }, () => new Float64Array(right + 1));
  const bothAt = (i: number, j: number) => {
    const same = weight(i, j);
    return same > 0 ? same + best[i + 1][j + 1] : 0;
  };
  for (let i = left - 1; i >= 0; i--) {
    for (let j = right - 1; j >= 0; j--) {
      best[i][j] = Math.max(bothAt(i, j), best[i + 1][j], best[i][j + 1]);
    }
  }
  while (i < left && j < right) {
    const both = bothAt(i, j);
    if (both > 0 && both === best[i][j]) rows.push([i++, j++]);
    else if (best[i + 1][j] >= best[i][j + 1]) rows.push([i++]);
    else rows.push([undefined, j++]);
  }
  while (i < left) rows.push([i++]);
  while (j < right) rows.push([undefined, j++]);
  return rows;
}
