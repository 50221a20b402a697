import { count } from "../format/figures";

const WIDTH = 116;
const HEIGHT = 18;

/** Runs started on each of the last days, as small bars. */
export function Activity({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  const total = counts.reduce((sum, one) => sum + one, 0);
  const step = WIDTH / Math.max(1, counts.length);
  return (
    <svg
      className="activity"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${count(total)} runs started in ${counts.length} days`}
    >
      <title>{`${count(total)} runs started in ${counts.length} days`}</title>
      {counts.map((one, day) => {
        const height = one === 0 ? 1 : Math.max(2, (one / most) * (HEIGHT - 2));
        return (
          <rect
            key={day}
            className={one === 0 ? "none" : ""}
            x={day * step}
            y={HEIGHT - height}
            width={step - 1}
            height={height}
          />
        );
      })}
    </svg>
  );
}
