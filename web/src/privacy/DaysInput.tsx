import { NumberInput } from '@patternfly/react-core';

const most = 30; // as the API allows

export function isDays(value: number, min: number): boolean {
  return Number.isInteger(value) && value >= min && value <= most;
}

interface Props {
  id: string;
  label: string;
  min: number;
  value: number;
  onChange: (days: number) => void;
}

export function DaysInput({ id, label, min, value, onChange }: Props) {
  return (
    <NumberInput
      inputProps={{ id }}
      inputAriaLabel={label}
      minusBtnAriaLabel="Fewer days"
      plusBtnAriaLabel="More days"
      min={min}
      max={most}
      value={value}
      onMinus={() => onChange(value - 1)}
      onPlus={() => onChange(value + 1)}
      onChange={(event) => onChange(Number((event.target as HTMLInputElement).value))}
    />
  );
}
