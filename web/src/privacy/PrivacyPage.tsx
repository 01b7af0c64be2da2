import { useMe } from '../api/me';
import { PageFrame } from '../design/PageFrame';
import { ErasuresCard } from './ErasuresCard';
import { OthersExportCard } from './OthersExportCard';
import { OwnExportCard } from './OwnExportCard';
import { PrivacySettingsCard } from './PrivacySettingsCard';

export function PrivacyPage() {
  const me = useMe();
  return (
    <PageFrame
      title="Privacy"
      about={
        me.owner
          ? `What ${me.tenant.name} knows of a person: to be handed out to them, and to be erased when they ask for it.`
          : `What ${me.tenant.name} knows of you is yours to have.`
      }
    >
      <div className="oa-stack">
        <OwnExportCard />
        {me.may_back_up && <OthersExportCard />}
        {me.owner && <ErasuresCard />}
        {me.owner && <PrivacySettingsCard />}
      </div>
    </PageFrame>
  );
}
