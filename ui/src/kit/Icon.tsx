import { ICONS, type IconName } from "./icons";

/** A picture beside a label; alone it needs a title on what holds it. */
export function Icon({ name, size = 16, className = "" }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg className={`i ${className}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 22 22" aria-hidden="true">
      <path className="slab" d="M4 20.500V8a7 7 0 0 1 14 0v12.500z" />
      <path
        className="cut"
        d="M7.500 16.500h7M7.500 13.200h7M7.500 9.900c1.500 0 2-3.400 3.500-3.400s2 3.400 3.500 3.400"
      />
    </svg>
  );
}
