import { useQuery } from "@tanstack/react-query";
import { Button, Chip } from "../kit/controls";
import { Moment } from "../kit/marks";
import { approvalsQuery, comment, decide, type Approval } from "./data";
import { asksFor } from "./events";

/** Changes that wait for somebody's word. */
export function Approvals({ name }: { name: string }) {
  const { data: requests = [] } = useQuery(approvalsQuery(name));
  return requests.map((request) => <OneApproval key={request.request_id} request={request} />);
}

function OneApproval({ request }: { request: Approval }) {
  return (
    <section className="card approval" aria-label="Approval wanted">
      <div className="row">
        <Chip tone="acc" icon="shield">
          Approval wanted
        </Chip>
        <b>{asksFor(request)}</b>
        <span className="dim">
          {request.requester}, <Moment time={request.creation_time} />
        </span>
        <span className="grow" />
        <Button kind="ghost" onClick={() => void comment(request)}>
          Comment
        </Button>
        <Button onClick={() => void decide(request, "reject")}>Reject</Button>
        <Button kind="pri" onClick={() => void decide(request, "approve")}>
          Approve
        </Button>
      </div>
      {request.reason && <blockquote>{request.reason}</blockquote>}
      {(request.comments ?? []).map(({ principal, time, text }) => (
        <blockquote key={time}>
          <b className="b">{principal}</b> {text}{" "}
          <span className="dim">
            <Moment time={time} />
          </span>
        </blockquote>
      ))}
    </section>
  );
}
