// Tests of the engine.
