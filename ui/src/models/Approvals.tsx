import { useQuery } from "@tanstack/react-query";
import { meQuery, type Me } from "../api/me";
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
  const { data: me, isPending } = useQuery(meQuery);
  const own = me?.name === request.requester;
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
        {own && <Button onClick={() => void decide(request, "withdraw")}>Withdraw</Button>}
        {!own && !isPending && (
          <>
            <Button onClick={() => void decide(request, "reject")}>Reject</Button>
            <Button kind="pri" onClick={() => void decide(request, "approve")}>
              Approve
            </Button>
          </>
        )}
      </div>
      {own && <Waiting me={me} />}
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

/** Nobody approves what he asked for. */
const Waiting = ({ me }: { me: Me }) => (
  <p className="mut">
    Waiting for somebody else’s word.
    {!me.require_token && (
      <>
        {" "}
        Everybody who opens this server is {me.name}; two people need a server with access tokens,{" "}
        <code>stele tokens create</code>.
      </>
    )}
  </p>
);
