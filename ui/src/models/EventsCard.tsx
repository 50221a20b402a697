import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Segments } from "../kit/controls";
import { Icon } from "../kit/Icon";
import { Moment } from "../kit/marks";
import { Loading, Problem } from "../kit/states";
import type { eventsQuery, Event } from "./data";
import { tell } from "./events";

type Shown = "all" | "moves" | "words";

const SHOWN: Record<Shown, (event: Event) => boolean> = {
  all: () => true,
  moves: ({ kind }) => /alias|stage/.test(kind),
  words: ({ reason, kind }) => Boolean(reason) || /comment|request|approved|rejected/.test(kind),
};

/** The event log: what was done, by whom, and why. It cannot be changed. */
export function EventsCard({ query }: { query: ReturnType<typeof eventsQuery> }) {
  const [shown, setShown] = useState<Shown>("all");
  const { data, error, refetch, hasNextPage, fetchNextPage, isPending } = useInfiniteQuery(query);
  const events = (data?.pages.flatMap((page) => page.events ?? []) ?? []).filter(SHOWN[shown]);
  return (
    <section className="card events" aria-label="Events">
      <header>
        <h2>Events</h2>
        <span className="grow" />
        <Segments<Shown>
          small
          label="Which events"
          value={shown}
          options={[
            ["all", "All"],
            ["moves", "Moves"],
            ["words", "Comments"],
          ]}
          onChange={setShown}
        />
      </header>
      {error ? (
        <Problem what="The events could not be read" error={error} onRetry={() => void refetch()} />
      ) : isPending ? (
        <Loading />
      ) : (
        <ol>
          {events.map((event) => {
            const { icon, tone, text } = tell(event);
            return (
              <li key={event.event_id}>
                <span className={`badge ${tone}`}>
                  <Icon name={icon} size={12} />
                </span>
                <span className="grow">
                  <b className="b">{event.principal}</b> {text}
                  {event.reason && <blockquote>{event.reason}</blockquote>}
                </span>
                <span className="dim nw">
                  <Moment time={event.time} />
                </span>
              </li>
            );
          })}
        </ol>
      )}
      {hasNextPage && (
        <div className="more">
          <Button small kind="ghost" onClick={() => void fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
    </section>
  );
}
