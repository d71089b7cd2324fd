import { expect } from 'vitest';
import { serverFrame } from '../../src/contract/frame-schemas.ts';

export type Frame = ReturnType<typeof serverFrame.parse>;

/** A frame as a client gets it, held against the contract: it has nothing that is not in there. */
export function parseServerFrame(text: string): Frame {
  const raw = JSON.parse(text) as Frame;
  const frame = serverFrame.parse(raw);
  if (raw.type !== 'message' || frame.type !== 'message') {
    expect(frame).toEqual(raw);
    return frame;
  }
  // Its data is as the topic has it: the schema takes each of them.
  const { data, ...rest } = raw;
  expect({ ...frame, data: null }).toEqual({ ...rest, data: null });
  return { ...frame, data };
}
