import { digestOf, type ManifestEntry, readManifest } from '../digest';
import type { StoredObject, StoredObjects } from './stored-objects';

/** What a manifest lists; nothing where it is not the one of its name: then nothing of that version is made use of. */
function listed(text: string, digest: string): readonly ManifestEntry[] {
  try {
    const manifest = readManifest(text);
    return digestOf(manifest).digest === digest ? manifest : [];
  } catch {
    return [];
  }
}

/** Which files the versions published before have, by their content. */
export class EarlierVersions {
  private readonly listings = new Map<string, Promise<ReadonlyMap<string, StoredObject>>>();

  private constructor(
    private readonly objects: StoredObjects,
    /** SHA-256 to the prefix of a version and the path of the file below it. */
    private readonly files: ReadonlyMap<string, { readonly below: string; readonly path: string }>,
  ) {}

  /** Reads the manifests of the latest `most` versions. */
  static async read(objects: StoredObjects, prefix: string, most: number): Promise<EarlierVersions> {
    const marks = (await objects.list(prefix, '/')).filter(({ key }) => /^[0-9a-f]{64}\.manifest$/.test(key.slice(prefix.length)));
    const latest = marks.sort((a, b) => b.modified.getTime() - a.modified.getTime()).slice(0, most);
    const files = new Map<string, { below: string; path: string }>();
    for (const { key } of latest) {
      const version = key.slice(0, -'.manifest'.length);
      const below = `${version}/`;
      for (const { path, sha256 } of listed(await objects.read(key), version.slice(prefix.length))) {
        if (!files.has(sha256) && !path.endsWith('/')) files.set(sha256, { below, path });
      }
    }
    return new EarlierVersions(objects, files);
  }

  /** An object that has these bytes: one that is really there, and as long as it should be. */
  async find(sha256: string, size: number): Promise<StoredObject | undefined> {
    const file = this.files.get(sha256);
    if (file === undefined) return undefined;
    const { below, path } = file;
    if (!this.listings.has(below)) {
      this.listings.set(
        below,
        this.objects.list(below).then((objects) => new Map(objects.map((object) => [object.key, object]))),
      );
    }
    const object = (await this.listings.get(below)!).get(below + path);
    return object?.size === size ? object : undefined;
  }
}
