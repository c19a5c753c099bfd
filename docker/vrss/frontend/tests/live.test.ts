import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createdId, followPosts } from "../src/live.ts";

class FakeSocket {
  static all: FakeSocket[] = [];
  onopen?: () => void;
  onclose?: () => void;
  onmessage?: (event: { data: string }) => void;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
}

describe("the live channel", () => {
  beforeEach(() => {
    FakeSocket.all = [];
    vi.useFakeTimers();
    vi.stubGlobal("WebSocket", FakeSocket);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("tells of new posts, and of a return", () => {
    const onPost = vi.fn();
    const onReconnect = vi.fn();
    followPosts("ws://localhost/api/ws", onPost, onReconnect);
    FakeSocket.all[0]?.onopen?.();
    FakeSocket.all[0]?.onmessage?.({ data: '{"created":"7"}' });
    expect(onPost).toHaveBeenCalledWith("7");
    expect(onReconnect).not.toHaveBeenCalled();
    FakeSocket.all[0]?.onclose?.();
    vi.advanceTimersByTime(1000);
    FakeSocket.all[1]?.onopen?.();
    expect(onReconnect).toHaveBeenCalledOnce();
  });

  test("waits longer each time, up to half a minute", () => {
    followPosts("ws://localhost/api/ws", vi.fn(), vi.fn());
    for (const wait of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const count = FakeSocket.all.length;
      FakeSocket.all.at(-1)?.onclose?.();
      vi.advanceTimersByTime(wait - 1);
      expect(FakeSocket.all).toHaveLength(count);
      vi.advanceTimersByTime(1);
      expect(FakeSocket.all).toHaveLength(count + 1);
    }
  });

  test("ignores what it does not understand", () => {
    expect(["", "null", "7", '{"created":7}', "<"].map(createdId)).toEqual([null, null, null, null, null]);
  });
});
