/** An error that the state machine itself raises, by its name in the Amazon States Language. */
export class StateError extends Error {
  override readonly name: string;
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** The state machine came to one of its `Fail` states: an end that it foresees. */
export class FailReached extends StateError {}
