/** One question with one line for an answer, from anywhere on the page. */

import { useState, useSyncExternalStore } from "react";
import { Field } from "../kit/controls";
import { Dialog } from "../kit/Dialog";

interface Question {
  title: string;
  label: string;
  value: string;
  action: string;
  answer: (text: string | null) => void;
}

let asked: Question | null = null;
const listeners = new Set<() => void>();

function set(question: Question | null): void {
  asked = question;
  listeners.forEach((listener) => listener());
}

/** The trimmed answer, or null when it was given up. */
export const ask = (question: Omit<Question, "answer">): Promise<string | null> =>
  new Promise((resolve) => {
    set({
      ...question,
      answer: (text) => {
        set(null);
        resolve(text?.trim() || null);
      },
    });
  });

export function Asked() {
  const question = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked,
  );
  return question && <Form key={question.title} question={question} />;
}

function Form({ question }: { question: Question }) {
  const [text, setText] = useState(question.value);
  return (
    <Dialog
      title={question.title}
      action={question.action}
      disabled={!text.trim()}
      onSubmit={() => question.answer(text)}
      onClose={() => question.answer(null)}
    >
      <Field label={question.label} value={text} onChange={setText} autoFocus />
    </Dialog>
  );
}
