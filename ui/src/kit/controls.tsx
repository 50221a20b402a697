/** Buttons, chips, switches and fields. */

import { useId, useState, type ButtonHTMLAttributes, type InputHTMLAttributes, type ReactNode, type Ref } from "react";
import { Icon } from "./Icon";
import type { IconName } from "./icons";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  icon?: IconName;
  /** `pri` at most once on a page. */
  kind?: "plain" | "ghost" | "pri" | "bad";
  small?: boolean;
  on?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

/** A button; one without children is an icon alone and needs a `title`. */
export function Button({ icon, kind = "plain", small, on, children, className = "", title, ...rest }: ButtonProps) {
  const alone = children === undefined || children === null;
  const classes = [
    "btn",
    kind === "plain" ? "" : kind,
    small ? "sm" : "",
    alone ? "icon" : "",
    on ? "on" : "",
    className,
  ];
  return (
    <button
      type="button"
      {...rest}
      title={title}
      aria-label={rest["aria-label"] ?? (alone ? title : undefined)}
      aria-pressed={on === undefined ? undefined : on}
      className={classes.filter(Boolean).join(" ")}
    >
      {icon && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

/** A quiet label. `tone` only where a state is not the normal one. */
export function Chip({
  icon,
  tone,
  children,
  title,
}: {
  icon?: IconName;
  tone?: "acc" | "ok" | "warn" | "fail" | "run" | "line";
  children: ReactNode;
  title?: string;
}) {
  return (
    <span className={`chip ${tone ?? ""}`} title={title}>
      {icon && <Icon name={icon} size={12} />}
      {children}
    </span>
  );
}

export function Switch({
  on,
  onChange,
  children,
  title,
}: {
  on: boolean;
  onChange: (on: boolean) => void;
  children: ReactNode;
  title?: string;
}) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      title={title}
      className={`switch ${on ? "on" : ""}`}
      onClick={() => onChange(!on)}
    >
      {children}
    </button>
  );
}

/** One of a few choices. */
export function Segments<T extends string>({
  value,
  options,
  onChange,
  label,
  small,
}: {
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  label: string;
  small?: boolean;
}) {
  return (
    <div className={`seg ${small ? "sm" : ""}`} role="radiogroup" aria-label={label}>
      {options.map(([key, text]) => (
        <button
          key={key}
          type="button"
          role="radio"
          aria-checked={key === value}
          className={key === value ? "on" : ""}
          onClick={() => onChange(key)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** A tick box that can also stand for "some of them". */
export function Check({
  state,
  onToggle,
  label,
  tabIndex = -1,
}: {
  state: boolean | "part";
  onToggle: (event: React.MouseEvent) => void;
  label: string;
  /** A grid has keys of its own to tick its rows; elsewhere the box is reached by Tab. */
  tabIndex?: number;
}) {
  return (
    <button
      type="button"
      role="checkbox"
      tabIndex={tabIndex}
      aria-checked={state === "part" ? "mixed" : state}
      aria-label={label}
      className={`cb ${state === "part" ? "part" : state ? "on" : ""}`}
      onClick={onToggle}
    />
  );
}

type FieldProps = Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> & {
  icon?: IconName;
  label: string;
  small?: boolean;
  onChange: (value: string) => void;
  ref?: Ref<HTMLInputElement>;
};

/** One line of text. */
export function Field({ icon, label, small, onChange, className = "", ...rest }: FieldProps) {
  return (
    <label className={`field ${small ? "sm" : ""} ${className}`}>
      {icon && <Icon name={icon} size={14} />}
      <input {...rest} aria-label={label} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}

/** Copies a text and says so for a moment. */
export function CopyButton({
  text,
  label = "Copy",
  small = true,
  alone,
}: {
  text: string | (() => string);
  label?: string;
  small?: boolean;
  alone?: boolean;
}) {
  const [copied, setCopied] = useState(false);
  const status = useId();
  const copy = async () => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : text());
    setCopied(true);
    window.setTimeout(() => setCopied(false), 1500);
  };
  return (
    <>
      <Button
        kind="ghost"
        small={small}
        icon={copied ? "check" : "copy"}
        title={copied ? "Copied" : label}
        onClick={copy}
        aria-describedby={status}
      >
        {alone ? undefined : copied ? "Copied" : label}
      </Button>
      <span id={status} role="status" className="sr">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}
