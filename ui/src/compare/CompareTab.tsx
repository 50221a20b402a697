export default function CompareTab(_: { experimentId: string }) {
  return null;
}
