/** Names with what a program or a machine said of them. */
export function Facts({ rows }: { rows: readonly (readonly [string, string])[] }) {
  return (
    <dl className="kv body">
      {rows.map(([name, value]) => (
        <div key={name} className="pair">
          <dt>{name}</dt>
          <dd className="mono" title={value}>
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Those of some rows that have a value. */
export const known = (rows: readonly (readonly [string, string | undefined])[]): [string, string][] =>
  rows.flatMap(([name, value]) => (value ? [[name, value] as [string, string]] : []));

/** Packages with their versions. */
export function Packages({ rows }: { rows: readonly (readonly [string, string])[] }) {
  return (
    <table className="t">
      <tbody>
        {rows.map(([name, version]) => (
          <tr key={name}>
            <td className="mono">{name}</td>
            <td className="mono num">{version}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
