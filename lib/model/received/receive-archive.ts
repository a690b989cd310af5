import { type ArchiveContent, readArchiveStream } from '../archive/archive-digest';
import { type ModelTree, treeOfTar } from '../inspect/model-tree';
import { ModelError } from '../model-error';
import { KeptBytes } from './kept-bytes';

export interface ReceivedArchive {
  readonly content: ArchiveContent;
  /** Its files, for the time of `use`. */
  look<T>(use: (tree: ModelTree) => T): T;
  /** Removes what was kept of it. */
  close(): void;
}

/**
 * Reads a `.tar.gz` that streams in, unpacking it once: into memory, or a temporary file where it is large.
 *
 * @param name for messages
 * @param room bytes, unpacked, that may be kept
 * @throws ModelError as `archiveDigest` does, and `too-large`; what `chunks` throws
 */
export async function receiveArchive(name: string, chunks: AsyncIterable<Uint8Array>, room: number): Promise<ReceivedArchive> {
  const tar = new KeptBytes(name, room);
  try {
    const content = await readArchiveStream(name, chunks, (bytes) => tar.write(bytes));
    const look: ReceivedArchive['look'] = (use) =>
      tar.open((bytes) => {
        const tree = treeOfTar(name, bytes);
        mustBeAsListed(name, tree, content);
        return use(tree);
      });
    return { content, look, close: () => tar.close() };
  } catch (error) {
    tar.close();
    throw error;
  }
}

/** What was hashed and what is looked into must be the same files: a tar that can be read in two ways is refused. */
function mustBeAsListed(name: string, { files }: ModelTree, { manifest }: ArchiveContent): void {
  const listed = manifest.filter(({ path }) => !path.endsWith('/'));
  const same = files.length === listed.length && files.every(({ path, size }, i) => path === listed[i]!.path && size === listed[i]!.size);
  if (!same) throw new ModelError('unsafe-archive', name, `${name} can be read in two ways: make it again (fledge package)`);
}
