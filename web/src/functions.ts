// Reads the packed function tables; src/report/html_functions.h describes the encoding.
import { inflateSync } from "fflate";

export type Value = string | number | boolean | null | undefined;

class Reader {
  constructor(private readonly bytes: Uint8Array, public at: number) {}
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error("the report's function table is cut short");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }
  difference(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

// The functions of one recording: row i is identity identities[i], with these codes.
export interface RecordingFunctions {
  identities: Uint32Array;
  columns: Map<string, Float64Array>;
}

export class FunctionStore {
  readonly fields: string[];
  readonly identities: number;
  private readonly values: unknown[];
  private readonly keys: number;
  private readonly table: Float64Array[] = [];
  private readonly places: { rows: number; offset: number }[];
  private readonly columns: Uint8Array;
  private readonly cache = new Map<number, RecordingFunctions>();

  constructor(base64: string) {
    const binary = atob(base64.trim());
    const packed = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; ++i) packed[i] = binary.charCodeAt(i);
    const bytes = inflateSync(packed);
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const about = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
    this.columns = bytes.subarray(4 + size);
    this.fields = about.fields;
    this.keys = about.keys;
    this.identities = about.identities;
    this.values = about.values;
    this.places = about.recordings;
    const reader = new Reader(this.columns, about.table);
    for (let field = 0; field < this.fields.length; ++field) {
      const codes = new Float64Array(this.identities);
      let code = 0;
      for (let i = 0; i < codes.length; ++i) codes[i] = code += reader.difference();
      this.table.push(codes);
    }
  }

  decode(code: number): Value {
    if (code < 2) return code === 0 ? undefined : null;
    if (code % 2 === 0) return code / 2 - 1;
    return this.values[(code - 3) / 2] as Value;
  }

  // A field of an identity: exact for name, file, line, layer and context, else what the first recording said.
  of_identity(field: string, identity: number): Value {
    const index = this.fields.indexOf(field);
    return index < 0 ? undefined : this.decode(this.table[index][identity]);
  }

  // The numbers of the functions of a recording only: cheap.
  identities_of(recording: number): Uint32Array {
    const place = this.places[recording];
    const cached = this.cache.get(recording);
    if (cached) return cached.identities;
    const reader = new Reader(this.columns, place.offset);
    return this.read_identities(reader, place.rows);
  }

  recording(index: number): RecordingFunctions {
    const cached = this.cache.get(index);
    if (cached) return cached;
    const place = this.places[index];
    const reader = new Reader(this.columns, place.offset);
    const identities = this.read_identities(reader, place.rows);
    const columns = new Map<string, Float64Array>();
    this.fields.forEach((name, field) => {
      const codes = new Float64Array(place.rows);
      for (let row = 0; row < place.rows; ++row) {
        const base = this.table[field][identities[row]];
        codes[row] = field < this.keys ? base : base + reader.difference();
      }
      columns.set(name, codes);
    });
    const functions = { identities, columns };
    if (this.cache.size > 8) this.cache.clear();
    this.cache.set(index, functions);
    return functions;
  }

  private read_identities(reader: Reader, rows: number): Uint32Array {
    const identities = new Uint32Array(rows);
    let identity = 0;
    for (let row = 0; row < rows; ++row) identities[row] = identity += reader.varint();
    return identities;
  }
}
