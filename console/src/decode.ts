/** Binary arrays that travel in JSON as base64, little-endian. */

function bytesOf(text: string): ArrayBuffer {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

/** 32-bit floats. */
export function float32(text: string): Float32Array {
  const buffer = bytesOf(text);
  if (buffer.byteLength % 4) throw new Error(`an array of 32-bit floats cannot have ${buffer.byteLength} bytes`);
  return new Float32Array(buffer);
}
