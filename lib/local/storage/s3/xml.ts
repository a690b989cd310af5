import { XMLBuilder, XMLParser } from 'fast-xml-parser';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });
// Keys are exact: their spaces, and the line breaks that come as numeric references, are theirs.
const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => name === 'Part' || name === 'Object',
});

/** An answer's body. Members that are undefined are left out; lists repeat their element. */
export function writeXml(root: string, members: Readonly<Record<string, unknown>>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ [root]: { '@xmlns': NAMESPACE, ...members } })}`;
}

/** An error's body: in no namespace, or boto3 and the AWS CLI find no code in it. */
export function writeXmlError(members: Readonly<Record<string, unknown>>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ Error: members })}`;
}

/** The members of a request's root element; an empty object where there is none. */
export function readXml(text: string): Record<string, unknown> {
  const parsed = parser.parse(text) as Record<string, unknown>;
  const root = Object.entries(parsed).find(([name]) => !name.startsWith('?'))?.[1];
  return typeof root === 'object' && root !== null ? (root as Record<string, unknown>) : {};
}
