/**
 * Keeps onnxruntime-node from reporting to Microsoft and from leaving a device id and logs on the disk: since 1.29 it does both unless
 * this variable is set before it initializes. What the user set stays. Only the main thread's environment is the process's, so it is
 * called there before a thread loads the runtime. Source: ONNX Runtime's docs/Privacy.md, "Disabling Telemetry".
 */
export function withoutTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
}
