import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import { effectFacts } from './words';

export function Effects({ values }: { values: Record<string, number> }) {
  return (
    <DescriptionList isHorizontal isCompact horizontalTermWidthModifier={{ default: '12rem', lg: '26rem' }}>
      {effectFacts(values).map(([term, number]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>{number}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
