import { Link, type LinkProps } from "@tanstack/react-router";
import { useIsFetching } from "@tanstack/react-query";
import { Fragment, useEffect, type ReactNode } from "react";

export interface Crumb {
  text: string;
  link: LinkProps;
}

export interface Tab {
  text: string;
  count?: ReactNode;
  link: LinkProps;
  on: boolean;
}

/** The frame of every page: path, name, chips and actions in one line, tabs below. */
export function Page({
  crumbs = [],
  title,
  mark,
  chips,
  actions,
  tabs,
  tabsEnd,
  meta,
  children,
}: {
  crumbs?: Crumb[];
  title: string;
  /** Stands before the name: a run's dot. */
  mark?: ReactNode;
  chips?: ReactNode;
  actions?: ReactNode;
  tabs?: Tab[];
  tabsEnd?: ReactNode;
  /** A second line of the head. */
  meta?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Stele`;
  }, [title]);
  return (
    <main>
      <header className="head">
        <div className="crumb">
          {crumbs.map((crumb) => (
            <Fragment key={crumb.text}>
              <Link {...crumb.link}>{crumb.text}</Link>
              <span>/</span>
            </Fragment>
          ))}
          {mark}
          <h1 title={title}>{title}</h1>
        </div>
        {chips}
        <div className="grow" />
        {actions}
      </header>
      {meta}
      {tabs && (
        <div className="tabs">
          <nav aria-label="Views">
            {tabs.map((tab) => (
              <Link
                key={tab.text}
                {...tab.link}
                className={tab.on ? "on" : ""}
                aria-current={tab.on ? "page" : undefined}
              >
                {tab.text}
                {tab.count !== undefined && <span className="n">{tab.count}</span>}
              </Link>
            ))}
          </nav>
          <div className="grow" />
          {tabsEnd}
        </div>
      )}
      <Refreshing />
      {children}
    </main>
  );
}

/** A thin line while data that is on the page is asked for again. */
function Refreshing() {
  const fetching = useIsFetching({ predicate: (query) => query.state.data !== undefined });
  return <div className={`refreshing ${fetching > 0 ? "on" : ""}`} aria-hidden="true" />;
}
