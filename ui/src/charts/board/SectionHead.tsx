import type { ReactNode } from "react";
import { count } from "../../format/figures";
import { Icon } from "../../kit/Icon";
import { Menu } from "../../kit/Popover";
import { ask } from "../../shell/ask";
import { announce } from "../../shell/undo";
import { renameSection, sectionId, stepSection, type Section } from "./layout";
import { useStage } from "./stage";

interface SectionHeadProps {
  section: Section;
  sections: readonly Section[];
  /** Stands at the right end. */
  aside: ReactNode;
  onGrab: (event: React.PointerEvent, section: Section) => void;
}

/** The line above the charts of a section: folds them, and is what the section is dragged by. */
export function SectionHead({ section, sections, aside, onGrab }: SectionHeadProps) {
  const { settings, change } = useStage();
  const { name, title, open } = section;
  const toggle = () =>
    change({ closed: open ? [...settings.closed, name] : settings.closed.filter((one) => one !== name) });
  const rename = async () => {
    const next = await ask({ title: `Rename ${title}`, label: "Name", value: title, action: "Rename" });
    if (next) change((held) => renameSection(held, name, next));
  };
  const remove = () => {
    change(
      section.pinned
        ? { pinned: [] }
        : {
            removed: [...settings.removed, sectionId(name)],
            sections: settings.sections.filter((one) => one !== name),
          },
    );
    announce(`Removed ${title}`, async () =>
      change({ pinned: settings.pinned, removed: settings.removed, sections: settings.sections }),
    );
  };
  return (
    <div className="sec" data-section={name}>
      <button
        type="button"
        className="secfold"
        aria-expanded={open}
        title={section.pinned ? undefined : "Drag to move"}
        onPointerDown={(event) => {
          if (event.button === 0 && !section.pinned) onGrab(event, section);
        }}
        onClick={toggle}
      >
        <Icon name={open ? "down" : "right"} size={12} />
        <h2>{title}</h2>
        <span className="n">{count(section.charts.length)}</span>
      </button>
      <span className="tools">
        <Menu
          label={`Options of ${title}`}
          items={[
            {
              text: "Move up",
              icon: "up",
              disabled: section.pinned && "Pinned charts stay on top",
              onChoose: () => change(stepSection(sections, name, -1)),
            },
            {
              text: "Move down",
              icon: "down",
              disabled: section.pinned && "Pinned charts stay on top",
              onChoose: () => change(stepSection(sections, name, 1)),
            },
            {
              text: "Rename",
              icon: "doc",
              disabled: section.pinned && "It holds what is pinned",
              onChoose: () => void rename(),
            },
            null,
            { text: section.pinned ? "Unpin all" : "Remove", icon: "x", onChoose: remove },
          ]}
        />
      </span>
      <span className="grow" />
      {aside}
    </div>
  );
}
