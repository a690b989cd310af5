import type {
  AddTagsInput,
  AddTagsOutput,
  DeleteTagsInput,
  DeleteTagsOutput,
  ListTagsInput,
  ListTagsOutput,
  Tag,
} from '@aws-sdk/client-sagemaker';
import type { LocalContext } from '../context';
import type { Table } from '../storage/state';
import { validation } from './errors';
import { page } from './paging';

const MOST_TAGS = 50;

/** Tags of everything that has an ARN; what was never {@link open}ed does not exist. */
export class Tags {
  private readonly table: Table<Tag[]>;

  constructor(context: LocalContext) {
    this.table = context.state.table('tags');
  }

  /** @throws ServiceError for keys that repeat, or too many of them */
  open(arn: string, tags: readonly Tag[] = []): void {
    const keys = new Set(tags.map(({ Key }) => Key));
    if (keys.size < tags.length) throw validation(`Duplicate tag keys found: ${tags.map(({ Key }) => Key).join(', ')}`);
    this.table.set(arn, [...tags]);
  }

  close(arn: string): void {
    this.table.delete(arn);
  }

  of(arn: string): Tag[] {
    return this.table.get(arn) ?? [];
  }

  add({ ResourceArn, Tags }: AddTagsInput): AddTagsOutput {
    const tags = new Map(this.existing(ResourceArn!).map((tag) => [tag.Key!, tag]));
    for (const tag of Tags!) tags.set(tag.Key!, tag);
    if (tags.size > MOST_TAGS) throw validation(`${ResourceArn} would have ${tags.size} tags: ${MOST_TAGS} are the most`);
    this.table.set(ResourceArn!, [...tags.values()]);
    return { Tags: [...tags.values()] };
  }

  remove({ ResourceArn, TagKeys }: DeleteTagsInput): DeleteTagsOutput {
    this.table.set(
      ResourceArn!,
      this.existing(ResourceArn!).filter(({ Key }) => !TagKeys!.includes(Key!)),
    );
    return {};
  }

  list(input: ListTagsInput): ListTagsOutput {
    const tags = this.existing(input.ResourceArn!);
    const paged = page(
      tags,
      { ...input, MaxResults: input.MaxResults ?? MOST_TAGS, SortBy: 'Name' },
      ({ Key }) => ({ name: Key!, created: 0 }),
      'Ascending',
    );
    return { Tags: paged.rows, NextToken: paged.NextToken };
  }

  private existing(arn: string): Tag[] {
    const tags = this.table.get(arn);
    if (tags === undefined) throw validation(`Could not find resource "${arn}".`);
    return tags;
  }
}
